// What is played, as `GET /state` shows it.

package main

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

type shownState struct {
	// ClusterID is text, because it does not fit in the numbers of many readers of JSON.
	ClusterID     string        `json:"cluster_id"`
	OperatorsHeld bool          `json:"operators_held"`
	Stores        []shownStore  `json:"stores"`
	Regions       []shownRegion `json:"regions"`
}

type shownStore struct {
	ID               uint64            `json:"id"`
	Labels           map[string]string `json:"labels"`
	Alive            bool              `json:"alive"`
	Tombstone        bool              `json:"tombstone"`
	StoreHeartbeats  bool              `json:"store_heartbeats"`
	RegionHeartbeats bool              `json:"region_heartbeats"`
	Leaders          int               `json:"leaders"`
	Peers            int               `json:"peers"`
}

type shownRegion struct {
	ID       uint64      `json:"id"`
	StartKey string      `json:"start_key"`
	EndKey   string      `json:"end_key"`
	ConfVer  uint64      `json:"conf_ver"`
	Version  uint64      `json:"version"`
	SizeMiB  uint64      `json:"size_mib"`
	Leader   uint64      `json:"leader_store_id"`
	Held     bool        `json:"operators_held"`
	Peers    []shownPeer `json:"peers"`
}

type shownPeer struct {
	ID      uint64 `json:"id"`
	StoreID uint64 `json:"store_id"`
	Role    string `json:"role"`
	Down    bool   `json:"down"`
	Pending bool   `json:"pending"`
}

func (p *player) state() shownState {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := shownState{
		ClusterID: decimal(p.pd.clusterID), OperatorsHeld: p.held,
		Stores: []shownStore{}, Regions: []shownRegion{},
	}
	leaders, peers := map[uint64]int{}, map[uint64]int{}
	for _, id := range slices.Sorted(maps.Keys(p.regions)) {
		region := p.shownRegion(id)
		leaders[region.Leader]++
		for _, peer := range region.Peers {
			peers[peer.StoreID]++
		}
		shown.Regions = append(shown.Regions, region)
	}
	for _, id := range slices.Sorted(maps.Keys(p.stores)) {
		store := p.stores[id]
		labels := map[string]string{}
		for _, label := range store.meta.GetLabels() {
			labels[label.GetKey()] = label.GetValue()
		}
		shown.Stores = append(shown.Stores, shownStore{
			ID: id, Labels: labels, Alive: store.alive, Tombstone: store.gone,
			StoreHeartbeats: store.storeHeartbeats, RegionHeartbeats: store.regionHeartbeats,
			Leaders: leaders[id], Peers: peers[id],
		})
	}
	return shown
}

func (p *player) shownRegion(id uint64) shownRegion {
	region := p.regions[id]
	meta := region.meta
	shown := shownRegion{
		ID:       id,
		StartKey: upperHex(meta.GetStartKey()), EndKey: upperHex(meta.GetEndKey()),
		ConfVer: meta.GetRegionEpoch().GetConfVer(), Version: meta.GetRegionEpoch().GetVersion(),
		SizeMiB: region.size, Leader: region.leader.GetStoreId(), Held: region.held,
	}
	for _, peer := range meta.GetPeers() {
		_, down := p.downSince(region, peer)
		shown.Peers = append(shown.Peers, shownPeer{
			ID: peer.GetId(), StoreID: peer.GetStoreId(), Role: peer.GetRole().String(),
			Down: down, Pending: region.lags(peer.GetStoreId()),
		})
	}
	return shown
}

func upperHex(key []byte) string { return strings.ToUpper(hex.EncodeToString(key)) }
