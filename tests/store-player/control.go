// The script: requests over HTTP that say what stores and regions do next.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
)

// handler answers the requests that the README lists. What they begin goes on after the answer,
// in the program's own context.
func (p *player) handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, do func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(writer http.ResponseWriter, request *http.Request) {
			answer(writer, request, do)
		})
	}
	on("GET /state", func(*http.Request) (any, error) { return p.state(), nil })
	on("GET /events", p.eventsSince)
	on("POST /heartbeats/stop", func(request *http.Request) (any, error) { return nil, p.switchHeartbeats(request, false) })
	on("POST /heartbeats/continue", func(request *http.Request) (any, error) { return nil, p.switchHeartbeats(request, true) })
	on("POST /pace", p.setPace)
	on("POST /operators/hold", func(request *http.Request) (any, error) { return nil, p.hold(request, true) })
	on("POST /operators/continue", func(request *http.Request) (any, error) { return nil, p.hold(request, false) })
	on("POST /stores", func(request *http.Request) (any, error) { return p.addStoreAsked(ctx, request) })
	onStore := func(pattern string, do func(*http.Request, uint64) error) {
		on("POST /stores/{id}/"+pattern, func(request *http.Request) (any, error) {
			id, err := strconv.ParseUint(request.PathValue("id"), 10, 64)
			if err != nil {
				return nil, err
			}
			return nil, do(request, id)
		})
	}
	onStore("kill", func(_ *http.Request, id uint64) error { return p.kill(ctx, id) })
	onStore("start", func(_ *http.Request, id uint64) error { return p.start(ctx, id) })
	onStore("stats", p.setStats)
	onStore("labels", func(request *http.Request, id uint64) error { return p.relabel(ctx, request, id) })
	onRegion := func(pattern string, do func(*http.Request, uint64) error) {
		on("POST /regions/{id}/"+pattern, func(request *http.Request) (any, error) {
			id, err := strconv.ParseUint(request.PathValue("id"), 10, 64)
			if err != nil {
				return nil, err
			}
			return nil, do(request, id)
		})
	}
	onRegion("leader", func(request *http.Request, id uint64) error {
		storeID, err := number(request, "store")
		if err != nil {
			return err
		}
		return p.moveLeader(ctx, id, storeID)
	})
	onRegion("split", func(request *http.Request, id uint64) error { return p.splitByItself(ctx, request, id) })
	onRegion("peers", func(request *http.Request, id uint64) error { return p.setPeers(ctx, request, id) })
	onRegion("down", func(request *http.Request, id uint64) error { return p.setDown(ctx, request, id) })
	onRegion("pending", func(request *http.Request, id uint64) error { return p.setPending(ctx, request, id) })
	onRegion("epoch", func(request *http.Request, id uint64) error { return p.setEpoch(ctx, request, id) })
	onRegion("size", func(request *http.Request, id uint64) error { return p.setSize(ctx, request, id) })
	onRegion("flow", func(request *http.Request, id uint64) error { return p.setFlow(ctx, request, id) })
	return mux
}

// answer writes what a request led to: what there is to see, or "ok", or why not.
func answer(writer http.ResponseWriter, request *http.Request, do func(*http.Request) (any, error)) {
	shown, err := do(request)
	if shown == nil {
		shown = map[string]bool{"ok": err == nil}
	}
	code := http.StatusOK
	var none missing
	switch {
	case errors.As(err, &none):
		code = http.StatusNotFound
	case err != nil:
		code = http.StatusBadRequest
	}
	if err != nil {
		shown = map[string]string{"error": err.Error()}
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(code)
	// Whoever asked may be gone.
	_ = json.NewEncoder(writer).Encode(shown)
}

func number(request *http.Request, name string) (uint64, error) {
	text := request.FormValue(name)
	if text == "" {
		return 0, fmt.Errorf("`%s` is missing", name)
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("`%s` is `%s`, not a number", name, text)
	}
	return value, nil
}

// optional is the number, and whether it was given.
func optional(request *http.Request, name string) (uint64, bool, error) {
	if request.FormValue(name) == "" {
		return 0, false, nil
	}
	value, err := number(request, name)
	return value, err == nil, err
}

func (p *player) eventsSince(request *http.Request) (any, error) {
	since, _, err := optional(request, "since")
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	later := []event{}
	for _, event := range p.events {
		if uint64(event.Number) > since {
			later = append(later, event)
		}
	}
	return later, nil
}

func (p *player) switchHeartbeats(request *http.Request, send bool) error {
	kind := request.FormValue("kind")
	if kind != "" && kind != "store" && kind != "region" {
		return fmt.Errorf("`kind` is `%s`: use store or region, or leave it out for both", kind)
	}
	only, one, err := optional(request, "store")
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.stores[only]; one && !known {
		return noStore(only)
	}
	for id, store := range p.stores {
		if one && id != only {
			continue
		}
		if kind != "region" {
			store.storeHeartbeats = send
		}
		if kind != "store" {
			store.regionHeartbeats = send
		}
	}
	p.tell("heartbeats: kind `%s`, store `%s`: sent is %t", kind, request.FormValue("store"), send)
	return nil
}

func (p *player) setPace(request *http.Request) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.pace
	for name, target := range map[string]*time.Duration{
		"store_heartbeat": &next.storeHeartbeat, "region_heartbeat": &next.regionHeartbeat,
		"operator": &next.operator, "snapshot": &next.snapshot, "election": &next.election,
	} {
		text := request.FormValue(name)
		if text == "" {
			continue
		}
		value, err := time.ParseDuration(text)
		if err != nil || value < 0 {
			return nil, fmt.Errorf("`%s` is `%s`: use 500ms, 10s or 1m", name, text)
		}
		*target = value
	}
	if err := next.check(); err != nil {
		return nil, err
	}
	p.pace = next
	return nil, nil
}

func (p *player) hold(request *http.Request, held bool) error {
	id, one, err := optional(request, "region")
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !one {
		p.held = held
		p.tell("operators: held is %t", held)
		return nil
	}
	region, known := p.regions[id]
	if !known {
		return noRegion(id)
	}
	region.held = held
	p.tell("region %d: operators held is %t", id, held)
	return nil
}

func (p *player) addStoreAsked(ctx context.Context, request *http.Request) (any, error) {
	sets, err := parsedLabels(request.FormValue("labels"))
	if err != nil {
		return nil, err
	}
	var labels []*metapb.StoreLabel
	if len(sets) > 0 {
		labels = sets[0]
	}
	version := request.FormValue("version")
	if version == "" {
		version = defaultStoreVersion
	}
	id, err := p.addStore(ctx, version, labels)
	if err != nil {
		return nil, err
	}
	return map[string]uint64{"id": id}, nil
}

func (p *player) setStats(request *http.Request, id uint64) error {
	var report reported
	body := json.NewDecoder(request.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&report); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	store, known := p.stores[id]
	if !known {
		return noStore(id)
	}
	store.report = report
	return nil
}

func (p *player) relabel(ctx context.Context, request *http.Request, id uint64) error {
	sets, err := parsedLabels(request.FormValue("labels"))
	if err != nil {
		return err
	}
	p.mu.Lock()
	store, known := p.stores[id]
	if !known {
		p.mu.Unlock()
		return noStore(id)
	}
	meta := *store.meta
	meta.Labels = nil
	if len(sets) > 0 {
		meta.Labels = sets[0]
	}
	p.mu.Unlock()
	if err := p.pd.putStore(ctx, &meta); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	store.meta = &meta
	return nil
}
