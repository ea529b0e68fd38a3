#!/usr/bin/env bash
# Installs what `make check` needs and does not find. Does nothing when all is there.
#
#   ca-certificates   to reach the Go module proxy
#   gcc, libc6-dev    the race detector needs cgo
#   postgresql        the tests start servers of their own; its service is not used
#   openssl           a second opinion on the signatures that the tests make
#   poppler-utils     the same on signed PDFs (pdfsig)
#   chromium, nodejs  make e2e looks at the pages in a browser
#   golangci-lint     into ./bin, outside go.mod
set -euo pipefail
cd "$(dirname "$0")/.."

lint_version=${GOLANGCI_LINT_VERSION:-2.15.0}

# missing_packages prints the Debian packages whose contents are not there.
missing_packages() {
	[ -s /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
	command -v gcc >/dev/null || echo gcc
	[ -e /usr/include/stdlib.h ] || echo libc6-dev
	command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
	command -v openssl >/dev/null || echo openssl
	command -v pdfsig >/dev/null || echo poppler-utils
	[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || echo chromium
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
}

# as_root runs a command as root, through sudo when needed.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

mapfile -t packages < <(missing_packages)
if [ "$(uname -s)" = Linux ] && [ ${#packages[@]} -gt 0 ]; then
	if ! command -v apt-get >/dev/null; then
		echo "setup: please install what Debian calls: ${packages[*]}" >&2
		exit 1
	fi
	echo "setup: installing with apt-get: ${packages[*]}"
	export DEBIAN_FRONTEND=noninteractive
	as_root apt-get update -q
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
fi

if [ "$(bin/golangci-lint version --short 2>/dev/null)" != "$lint_version" ]; then
	echo "setup: installing golangci-lint $lint_version into ./bin"
	mkdir -p bin
	GOFLAGS='' GOBIN="$PWD/bin" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$lint_version"
fi
