# Slipway's own chores. `make help` explains the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE_HOME  := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
# Tools and generated data live outside the checkout, under what made them.
DEV_CACHE   := $(CACHE_HOME)/slipway-dev
GOLANGCI    := 2.15.0
GOVULNCHECK := 1.9.0
LINT        := $(DEV_CACHE)/bin/golangci-lint-$(GOLANGCI)
VULN        := $(DEV_CACHE)/bin/govulncheck-$(GOVULNCHECK)
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME    ?= 30s
TESTFLAGS   ?=
BENCHFLAGS  ?=

export CGO_ENABLED ?= 0

.PHONY: help build test test-deep check bench bench-base bench-final bench-resolve bench-strategies bench-go demo demo-down fuzz kube-binaries clean

help: ## Explain the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/slipway
	@go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/slipway ./cmd/slipway

test: ## Run the tests (at most 15 minutes on a warm machine)
	@go test -timeout 15m $(TESTFLAGS) ./...

test-deep: ## Run the tests in full size, in random order, with the race detector
	@CGO_ENABLED=1 SLIPWAY_TEST_DEEP=1 go test -race -shuffle=on -timeout 80m $(TESTFLAGS) ./...

check: $(LINT) ## Check format, vet, staticcheck, lint, and known vulnerabilities where reachable
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	@go vet ./...
	@$(LINT) run ./...
	@go mod verify >/dev/null && go mod tidy -diff
	@hack/govulncheck $(VULN) $(GOVULNCHECK)

bench: build ## Measure Slipway beside dnf, buildah and pip (some minutes; BENCHFLAGS=-h lists options)
	@go run ./tools/bench $(BENCHFLAGS)

bench-base: build ## The same of base images alone, with all RPMs: more peers, zstd, memory (8 minutes)
	@go run ./tools/bench -base -size full $(BENCHFLAGS)

bench-resolve: build ## Measure resolution beside hawkey, libsolv and the dnf command (BENCHFLAGS=-h)
	@go build -o bin/resolvebench ./tools/resolvebench && bin/resolvebench $(BENCHFLAGS)

bench-final: build ## Measure what a one-line commit takes, beside buildah and source-to-image (BENCHFLAGS adds options)
	@go run ./tools/bench -final -n 10 $(BENCHFLAGS)

bench-strategies: build ## Measure the ways to build an image (BENCHRUNS, 3; pages go to bin/strategies)
	@hack/bench-strategies bin/slipway $(or $(BENCHRUNS),3)

bench-go: ## Run the benchmarks of the packages
	@go test -run '^$$' -bench . -benchmem ./internal/...

fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@hack/fuzz $(FUZZTIME)

demo: build ## From commits to a service that answers, on this machine
	@go run ./tools/demo

demo-down: build ## Stop what the demo started
	@go run ./tools/demo down

kube-binaries: ## Build the Kubernetes that deployments are tried on, outside the checkout
	@hack/kube-binaries $(DEV_CACHE)

clean: ## Remove bin/
	@rm -rf bin

$(LINT):
	@echo "installing golangci-lint $(GOLANGCI) into $(DEV_CACHE)/bin" >&2
	@mkdir -p $(@D) && GOBIN=$(@D)/new go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI) && mv $(@D)/new/golangci-lint $@
