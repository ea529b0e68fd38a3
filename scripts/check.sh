#!/usr/bin/env bash
# All that must hold before a change lands; continuous integration runs this.
# The first step that fails ends it. Set SELO_CHECK_SKIP to step names to leave
# them out on a laptop; nothing is left out unless asked for.
set -euo pipefail
cd "$(dirname "$0")/.."

begin=$SECONDS

# step NAME TARGET: makes a target, with its heading and its seconds.
step() {
	local name=$1 target=$2 start=$SECONDS
	case " ${SELO_CHECK_SKIP:-} " in *" $target "*)
		printf '\n== %s: left out as SELO_CHECK_SKIP asks\n' "$name"
		return
		;;
	esac
	printf '\n== %s\n' "$name"
	if ! "${MAKE:-make}" --no-print-directory "$target"; then
		printf '== %s failed after %d s (make %s runs it alone)\n' "$name" $((SECONDS - start)) "$target" >&2
		exit 1
	fi
	printf '== %s: %d s\n' "$name" $((SECONDS - start))
}

step 'Tools' setup
step 'Format' format
step 'Vet' vet
step 'Imports and rooms' imports
step 'Generated code is fresh' generated
step 'Lint' lint
step 'Other platforms' cross
step 'Pages in a browser' e2e
step 'Faults' fault
step 'Tests with the race detector' race
printf '\n%s: %d s\n' "Everything holds${SELO_CHECK_SKIP:+ but what was left out ($SELO_CHECK_SKIP)}" $((SECONDS - begin))
