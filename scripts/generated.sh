#!/usr/bin/env bash
# Runs go generate and fails when that changes a file: what is generated must be
# committed fresh. It compares contents, so it does not need a clean tree.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sources.sh

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

own_files '*' | xargs -0 sha256sum >"$before"
go generate ./...
own_files '*' | xargs -0 sha256sum >"$after"
if ! changed=$(diff "$before" "$after"); then
	echo 'go generate changed these files; commit them:' >&2
	printf '%s\n' "$changed" | sed -n 's/^[<>] [0-9a-f]*  /  /p' | sort -u >&2
	exit 1
fi
