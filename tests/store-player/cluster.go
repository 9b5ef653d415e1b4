// The cluster at the start: made in a PD that has none yet, or taken over from an earlier run.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
)

// addressPrefix marks the stores that are played. A cluster with any other is left alone.
const addressPrefix = "store-player-"

// shape is what a new cluster looks like.
type shape struct {
	stores   int
	tiflash  int
	regions  int
	replicas int
	// labels is given to the stores in turn.
	labels  [][]*metapb.StoreLabel
	version string
	// regionMiB is the size of each region.
	regionMiB uint64
}

// parsedLabels reads `zone=z1,host=h1;zone=z2,host=h2`: one set of labels for each store in turn.
func parsedLabels(text string) ([][]*metapb.StoreLabel, error) {
	var all [][]*metapb.StoreLabel
	if text == "" {
		return nil, nil
	}
	for _, set := range strings.Split(text, ";") {
		var labels []*metapb.StoreLabel
		for _, pair := range strings.Split(set, ",") {
			key, value, found := strings.Cut(pair, "=")
			if !found {
				return nil, fmt.Errorf("label `%s` is not KEY=VALUE", pair)
			}
			labels = append(labels, &metapb.StoreLabel{Key: key, Value: value})
		}
		all = append(all, labels)
	}
	return all, nil
}

func (shape shape) check() error {
	if shape.replicas < 1 || shape.replicas > shape.stores {
		return fmt.Errorf("%d replicas do not fit on %d stores", shape.replicas, shape.stores)
	}
	if shape.regions < 1 {
		return errors.New("a cluster has at least one region")
	}
	return nil
}

// begin makes the cluster, or takes over the one that PD has.
func (p *player) begin(ctx context.Context, shape shape) error {
	there, err := p.pd.isBootstrapped(ctx)
	if err != nil {
		return err
	}
	if there {
		return p.takeOver(ctx)
	}
	if err := shape.check(); err != nil {
		return err
	}
	return p.create(ctx, shape)
}

// takeOver plays the stores and regions that PD knows from an earlier run.
func (p *player) takeOver(ctx context.Context) error {
	stores, err := p.pd.allStores(ctx)
	if err != nil {
		return err
	}
	for _, meta := range stores {
		if !strings.HasPrefix(meta.GetAddress(), addressPrefix) {
			return fmt.Errorf("store %d at `%s` is none of ours: this cluster is left alone", meta.GetId(), meta.GetAddress())
		}
		p.stores[meta.GetId()] = newStore(meta)
	}
	regions, err := p.pd.allRegions(ctx)
	if err != nil {
		return err
	}
	for _, known := range regions {
		leader := peerOn(known.GetRegion(), known.GetLeader().GetStoreId())
		played := newRegion(known.GetRegion(), leader, defaultRegionMiB)
		if leader == nil {
			played.leader = p.candidate(played)
		}
		p.regions[known.GetRegion().GetId()] = played
	}
	return nil
}

// create bootstraps PD with the first store and region, and adds the others.
func (p *player) create(ctx context.Context, shape shape) error {
	var stores []*metapb.Store
	for number := range shape.stores + shape.tiflash {
		id, err := p.pd.allocateID(ctx)
		if err != nil {
			return err
		}
		var labels []*metapb.StoreLabel
		if len(shape.labels) > 0 {
			labels = shape.labels[number%len(shape.labels)]
		}
		if number >= shape.stores {
			labels = append(labels[:len(labels):len(labels)], &metapb.StoreLabel{Key: "engine", Value: "tiflash"})
		}
		stores = append(stores, storeMeta(id, shape.version, labels))
	}
	regions, err := p.firstRegions(ctx, shape, stores[:shape.stores])
	if err != nil {
		return err
	}
	first := changed(regions[0], func(region *metapb.Region) {
		region.EndKey = nil
		region.Peers = region.Peers[:1]
		region.RegionEpoch = &metapb.RegionEpoch{ConfVer: 1, Version: 1}
	})
	if err := p.pd.bootstrap(ctx, stores[0], first); err != nil {
		return err
	}
	for _, meta := range stores {
		if err := p.pd.putStore(ctx, meta); err != nil {
			return fmt.Errorf("store %d: %w", meta.GetId(), err)
		}
		p.stores[meta.GetId()] = newStore(meta)
	}
	for _, meta := range regions {
		p.regions[meta.GetId()] = newRegion(meta, meta.GetPeers()[0], shape.regionMiB)
	}
	return nil
}

func storeMeta(id uint64, version string, labels []*metapb.StoreLabel) *metapb.Store {
	const port = 20160
	address := fmt.Sprintf("%s%d:%d", addressPrefix, id, port)
	return &metapb.Store{
		Id: id, Address: address, PeerAddress: address, Version: version, Labels: labels,
		StartTimestamp: time.Now().Unix(), DeployPath: "/nowhere",
	}
}

// firstRegions are the regions of a new cluster, as if they had been split off one by one, their
// peers and leaders spread evenly.
func (p *player) firstRegions(ctx context.Context, shape shape, stores []*metapb.Store) ([]*metapb.Region, error) {
	var regions []*metapb.Region
	for number := range shape.regions {
		var peers []*metapb.Peer
		for replica := range shape.replicas {
			id, err := p.pd.allocateID(ctx)
			if err != nil {
				return nil, err
			}
			holder := stores[(number+replica)%len(stores)]
			peers = append(peers, &metapb.Peer{Id: id, StoreId: holder.GetId()})
		}
		id, err := p.pd.allocateID(ctx)
		if err != nil {
			return nil, err
		}
		region := &metapb.Region{
			Id: id, Peers: peers,
			RegionEpoch: &metapb.RegionEpoch{
				// As TiKV counts: each further replica came as a learner and was promoted.
				ConfVer: uint64(2*shape.replicas - 1),
				Version: uint64(shape.regions),
			},
		}
		if number > 0 {
			region.StartKey = rowKey(uint64(number))
		}
		if number < shape.regions-1 {
			region.EndKey = rowKey(uint64(number + 1))
		}
		regions = append(regions, region)
	}
	return regions, nil
}

// addStore adds a store to the cluster.
func (p *player) addStore(ctx context.Context, version string, labels []*metapb.StoreLabel) (uint64, error) {
	id, err := p.pd.allocateID(ctx)
	if err != nil {
		return 0, err
	}
	meta := storeMeta(id, version, labels)
	if err := p.pd.putStore(ctx, meta); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stores[id] = newStore(meta)
	p.tell("store %d: added", id)
	return id, nil
}
