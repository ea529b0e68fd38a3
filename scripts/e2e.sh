#!/usr/bin/env bash
# Builds the program and looks at every page of its demonstration in Chromium
# (see e2e/harness.mjs, which gets the arguments). scripts/setup.sh installs
# what is missing on the machine; the packages of e2e/ are pinned by their lock.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! (cd e2e && npm ls >/dev/null 2>&1); then
	(cd e2e && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund)
fi
CGO_ENABLED=0 go build -trimpath -o "$work/selo" ./cmd/selo
node e2e/harness.mjs --binary "$work/selo" "$@"
