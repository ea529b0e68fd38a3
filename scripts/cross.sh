#!/usr/bin/env bash
# Proves that the program compiles and links where its users work.
set -euo pipefail
cd "$(dirname "$0")/.."

for target in windows/amd64 windows/arm64 darwin/amd64 darwin/arm64; do
	start=$SECONDS
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build -o /dev/null ./cmd/selo
	echo "$target compiles ($((SECONDS - start)) s)"
done
