# Selo. `make` lists the targets.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules

.PHONY: help run check setup fmt format vet lint imports generate generated test race fault fuzz bench bench-quick build cross e2e screens assets

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

run: ## everything on this machine, with sample data
	go run ./cmd/selo demo

check: ## all that continuous integration runs
	@scripts/check.sh

setup: ## install the tools that are missing
	@scripts/setup.sh

fmt: ## format the Go files
	gofmt -w .

format: ## fail when a Go file is not formatted
	@scripts/format.sh

vet: ## go vet, also of the code that breaks things on purpose
	go vet -tags faulttest ./...

lint: ## golangci-lint, the version that setup installs
	bin/golangci-lint run --allow-parallel-runners ./...

imports: ## the rules of imports_test.go
	go test -count=1 .

generate: ## make the generated files anew
	go generate ./...

generated: ## fail when a generated file is not fresh
	@scripts/generated.sh

test: ## all tests, quick
	go test ./...

race: ## all tests with the race detector
	go test -race -timeout 20m ./...

fault: ## break the program at every step; nothing may be lost
	@scripts/fault.sh

fuzz: ## every fuzz target for FUZZTIME (5s)
	@scripts/fuzz.sh

bench: ## measure, and print the table of docs/performance.md (20 minutes)
	go run ./cmd/selobench

bench-quick: ## the same at 10,000 products only (a minute)
	go run ./cmd/selobench --products 10000

build: ## the program for this machine, in ./bin
	CGO_ENABLED=0 go build -trimpath -o bin/selo ./cmd/selo

cross: ## prove that it compiles for Windows and macOS
	@scripts/cross.sh

e2e: ## look at every page in a browser: accessibility, keyboard, widths, weight
	@scripts/e2e.sh

screens: ## the same, and take the pictures of docs/screens anew
	@scripts/e2e.sh --screens

assets: ## fetch web/static/vendor anew
	@scripts/assets.sh
