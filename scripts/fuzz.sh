#!/usr/bin/env bash
# Runs every Fuzz… function of the module for FUZZTIME each (default 5s).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sources.sh

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	echo "== $target in $(dirname "$file")"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-5s}" "$(dirname "$file")"
done < <(own_files '*_test.go' | xargs -0 grep -H -o -E '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')
echo "$found fuzz targets ran"
[ "$found" -gt 0 ]
