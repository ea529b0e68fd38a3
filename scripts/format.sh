#!/usr/bin/env bash
# Lists the Go files that gofmt would change and fails when there are any.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sources.sh

changed=$(own_files '*.go' | xargs -0 gofmt -l)
if [ -n "$changed" ]; then
	printf 'Not formatted (make fmt does it):\n%s\n' "$changed" >&2
	exit 1
fi
