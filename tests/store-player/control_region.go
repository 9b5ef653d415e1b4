// The requests that are about one region.

package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
)

func (p *player) splitByItself(ctx context.Context, request *http.Request, id uint64) error {
	p.mu.Lock()
	region, known := p.regions[id]
	if !known {
		p.mu.Unlock()
		return noRegion(id)
	}
	meta := region.meta
	p.mu.Unlock()
	key, found := keyBetween(meta.GetStartKey(), meta.GetEndKey())
	if text := request.FormValue("key"); text != "" {
		parsed, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("`key` is not hex: %w", err)
		}
		key, found = parsed, within(parsed, meta.GetStartKey(), meta.GetEndKey())
	}
	if !found {
		return fmt.Errorf("the key does not lie within region %d", id)
	}
	return p.split(ctx, meta, [][]byte{key})
}

// setPeers replaces a region's peers; a store that stays keeps its peer, and each difference
// counts as one change.
func (p *player) setPeers(ctx context.Context, request *http.Request, id uint64) error {
	var wanted []struct {
		StoreID uint64 `json:"store_id"`
		Role    string `json:"role"`
	}
	if err := json.NewDecoder(request.Body).Decode(&wanted); err != nil {
		return err
	}
	var peers []*metapb.Peer
	for _, one := range wanted {
		role, known := metapb.PeerRole_value[one.Role]
		if !known {
			return fmt.Errorf("role `%s` is not Voter, Learner, IncomingVoter or DemotingVoter", one.Role)
		}
		peerID, err := p.pd.allocateID(ctx)
		if err != nil {
			return err
		}
		peers = append(peers, &metapb.Peer{Id: peerID, StoreId: one.StoreID, Role: metapb.PeerRole(role)})
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		region.set(changed(region.meta, func(meta *metapb.Region) { replacePeers(meta, peers) }))
		if region.leader == nil {
			region.leader = p.candidate(region)
		}
		p.tell("region %d: peers are now %v", id, region.meta.GetPeers())
		return nil
	})
}

func replacePeers(meta *metapb.Region, peers []*metapb.Peer) {
	before := *meta
	for _, peer := range peers {
		present := peerOn(&before, peer.GetStoreId())
		if present != nil {
			peer.Id = present.GetId()
		}
		if present.GetRole() != peer.GetRole() || present == nil {
			meta.RegionEpoch.ConfVer++
		}
	}
	meta.Peers = peers
	for _, peer := range before.GetPeers() {
		if peerOn(meta, peer.GetStoreId()) == nil {
			meta.RegionEpoch.ConfVer++
		}
	}
}

func (p *player) setDown(ctx context.Context, request *http.Request, id uint64) error {
	storeID, err := number(request, "store")
	if err != nil {
		return err
	}
	seconds, err := number(request, "seconds")
	if err != nil {
		return err
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		if seconds == 0 {
			delete(region.down, storeID)
			return nil
		}
		region.down[storeID] = time.Now().Add(-time.Duration(seconds) * time.Second)
		return nil
	})
}

func (p *player) setPending(ctx context.Context, request *http.Request, id uint64) error {
	storeID, err := number(request, "store")
	if err != nil {
		return err
	}
	pending, err := strconv.ParseBool(request.FormValue("on"))
	if err != nil {
		return errors.New("`on` is neither true nor false")
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		if pending {
			region.pending[storeID] = true
		} else {
			delete(region.pending, storeID)
		}
		return nil
	})
}

func (p *player) setEpoch(ctx context.Context, request *http.Request, id uint64) error {
	confVer, givenConfVer, err := optional(request, "conf_ver")
	if err != nil {
		return err
	}
	version, givenVersion, err := optional(request, "version")
	if err != nil {
		return err
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		region.set(changed(region.meta, func(meta *metapb.Region) {
			if givenConfVer {
				meta.RegionEpoch.ConfVer = confVer
			}
			if givenVersion {
				meta.RegionEpoch.Version = version
			}
		}))
		return nil
	})
}

func (p *player) setSize(ctx context.Context, request *http.Request, id uint64) error {
	size, err := number(request, "mib")
	if err != nil {
		return err
	}
	keys, given, err := optional(request, "keys")
	if err != nil {
		return err
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		region.size = size
		if given {
			region.keys = keys
		}
		return nil
	})
}

func (p *player) setFlow(ctx context.Context, request *http.Request, id uint64) error {
	var next flow
	body := json.NewDecoder(request.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&next); err != nil {
		return err
	}
	return p.change(ctx, id, func(region *playedRegion) error {
		region.flow = next
		return nil
	})
}
