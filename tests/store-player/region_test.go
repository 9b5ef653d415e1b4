// Changes of a region, as a store carries them out.

package main

import (
	"bytes"
	"testing"

	"github.com/pingcap/kvproto/pkg/eraftpb"
	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
)

// threeVoters is region 10 of peers 11, 12 and 13 on stores 1, 2 and 3; 11 leads.
func threeVoters() (*metapb.Region, *metapb.Peer) {
	region := &metapb.Region{
		Id:          10,
		StartKey:    []byte("b"),
		EndKey:      []byte("d"),
		RegionEpoch: &metapb.RegionEpoch{ConfVer: 5, Version: 7},
		Peers: []*metapb.Peer{
			{Id: 11, StoreId: 1}, {Id: 12, StoreId: 2}, {Id: 13, StoreId: 3},
		},
	}
	return region, region.Peers[0]
}

func change(kind eraftpb.ConfChangeType, id, storeID uint64) *pdpb.ChangePeer {
	return &pdpb.ChangePeer{ChangeType: kind, Peer: &metapb.Peer{Id: id, StoreId: storeID}}
}

const (
	addVoter   = eraftpb.ConfChangeType_AddNode
	addLearner = eraftpb.ConfChangeType_AddLearnerNode
	remove     = eraftpb.ConfChangeType_RemoveNode
)

func checkRoles(t *testing.T, region *metapb.Region, confVer uint64, roles map[uint64]metapb.PeerRole) {
	t.Helper()
	if found := region.GetRegionEpoch().GetConfVer(); found != confVer {
		t.Errorf("conf_ver is %d, not %d", found, confVer)
	}
	if len(region.GetPeers()) != len(roles) {
		t.Errorf("%d peers, not %d", len(region.GetPeers()), len(roles))
	}
	for storeID, role := range roles {
		if peer := peerOn(region, storeID); peer == nil || peer.GetRole() != role {
			t.Errorf("store %d holds %v, not a %v", storeID, peer, role)
		}
	}
}

func TestReplacingAVoterGoesThroughAJointState(t *testing.T) {
	start, leader := threeVoters()
	learner, err := withChanges(start, leader, []*pdpb.ChangePeer{change(addLearner, 14, 4)})
	if err != nil {
		t.Fatal(err)
	}
	joint, err := withChanges(learner, leader, []*pdpb.ChangePeer{change(addVoter, 14, 4), change(addLearner, 13, 3)})
	if err != nil {
		t.Fatal(err)
	}
	checkRoles(t, joint, 8, map[uint64]metapb.PeerRole{
		1: metapb.PeerRole_Voter, 2: metapb.PeerRole_Voter,
		3: metapb.PeerRole_DemotingVoter, 4: metapb.PeerRole_IncomingVoter,
	})
	left, err := leftJoint(joint, leader)
	if err != nil {
		t.Fatal(err)
	}
	after, err := withChanges(left, leader, []*pdpb.ChangePeer{change(remove, 13, 3)})
	if err != nil {
		t.Fatal(err)
	}
	checkRoles(t, after, 11, map[uint64]metapb.PeerRole{
		1: metapb.PeerRole_Voter, 2: metapb.PeerRole_Voter, 4: metapb.PeerRole_Voter,
	})
	checkRoles(t, start, 5, map[uint64]metapb.PeerRole{
		1: metapb.PeerRole_Voter, 2: metapb.PeerRole_Voter, 3: metapb.PeerRole_Voter,
	})
}

func TestWhatAStoreRefusesChangesNothing(t *testing.T) {
	region, leader := threeVoters()
	for name, changes := range map[string][]*pdpb.ChangePeer{
		"the leader is removed":            {change(remove, 11, 1)},
		"the leader is made a learner":     {change(addLearner, 11, 1)},
		"another peer is there":            {change(addVoter, 99, 2)},
		"a voter is made a voter":          {change(addVoter, 12, 2)},
		"a peer that is none is removed":   {change(remove, 14, 4)},
		"one of two cannot be carried out": {change(addLearner, 13, 3), change(addVoter, 12, 2)},
	} {
		if _, err := withChanges(region, leader, changes); err == nil {
			t.Errorf("%s: carried out", name)
		}
	}
	if _, err := leftJoint(region, leader); err == nil {
		t.Error("a joint state was left that there was not")
	}
}

func TestMajorityCountsBothSidesOfAJointState(t *testing.T) {
	region, _ := threeVoters()
	aliveOnly := func(stores ...uint64) func(uint64) bool {
		return func(storeID uint64) bool {
			for _, store := range stores {
				if store == storeID {
					return true
				}
			}
			return false
		}
	}
	if !hasMajority(region, aliveOnly(1, 2)) || hasMajority(region, aliveOnly(1)) {
		t.Error("two of three are a majority, one is not")
	}
	region.Peers[2].Role = metapb.PeerRole_DemotingVoter
	region.Peers = append(region.Peers, &metapb.Peer{Id: 14, StoreId: 4, Role: metapb.PeerRole_IncomingVoter})
	if hasMajority(region, aliveOnly(1, 3)) || !hasMajority(region, aliveOnly(1, 2)) {
		t.Error("a joint state wants a majority of the old voters and of the new ones")
	}
}

func TestSplitThenMergeGivesTheSameRange(t *testing.T) {
	region, _ := threeVoters()
	ids := []*pdpb.SplitID{{NewRegionId: 20, NewPeerIds: []uint64{21, 22, 23}}}
	parts := split(region, [][]byte{[]byte("c")}, ids)
	if len(parts) != 2 || parts[0].GetId() != 20 || parts[1].GetId() != 10 {
		t.Fatalf("%v", parts)
	}
	for _, part := range parts {
		if part.GetRegionEpoch().GetVersion() != 8 {
			t.Errorf("version is %d, not 8", part.GetRegionEpoch().GetVersion())
		}
	}
	whole, err := merged(parts[0], parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if string(whole.GetStartKey()) != "b" || string(whole.GetEndKey()) != "d" || whole.GetRegionEpoch().GetVersion() != 9 {
		t.Errorf("%v", whole)
	}
	if _, err := merged(parts[0], whole); err == nil {
		t.Error("merged with a region that is not beside it")
	}
}

func TestAKeyIsFoundBetweenTwo(t *testing.T) {
	for _, bounds := range [][2][]byte{
		{nil, nil}, {nil, rowKey(1)}, {rowKey(1), rowKey(2)}, {rowKey(59), nil}, {[]byte("a"), []byte("b")},
	} {
		key, found := keyBetween(bounds[0], bounds[1])
		if !found || !within(key, bounds[0], bounds[1]) {
			t.Errorf("%x is not between %x and %x", key, bounds[0], bounds[1])
		}
	}
	if bytes.Compare(rowKey(1), rowKey(2)) >= 0 {
		t.Error("rows are not in order")
	}
	if _, found := keyBetween([]byte("a"), []byte("a\x00")); found {
		t.Error("a key was found where there is none")
	}
}
