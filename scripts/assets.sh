#!/usr/bin/env bash
# Makes web/static/vendor anew: the files of others that browsers load, with
# their licences. Packages are pinned by version and digest. Needs npm, node and
# the network; nobody else does, because the result is committed.
set -euo pipefail
cd "$(dirname "$0")/.."

# name@version sha256-of-the-archive
packages='
@govbr-ds/core@3.7.0 2b8f13b0a1427f101f9f7aa81751b1bafe829e17305b1727fc2a0e3326781247
@fontsource/raleway@5.3.0 d5dc5cb4563286e45c5b832b0718fa36d84148405cf6f5d1903615a74d253ea8
@fortawesome/fontawesome-free@5.15.4 6d890608585d48f50f6434a90ed3f581e76d360edb26800dba2f782ef3e77e11
@zxing/library@0.23.0 e49f1076d9af70179c9fbb5026cda67e48864f3bced64fff548237208cc2ff32
htmx.org@2.0.11 165a2655073e9e6e55e307a7c74e8ebcdb76afb7701f9c16cfd106a13add408e
'
# Icons of the sprite, by their names in Font Awesome (solid).
icons='adjust angle-left angle-right ban barcode bars camera chart-bar check-circle copy download
exclamation-triangle external-link-alt file-alt image info-circle lightbulb minus-circle print qrcode question-circle rss search times times-circle user'

out=$PWD/web/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

while read -r package digest; do
	[ -n "$package" ] || continue
	archive=$(cd "$work" && npm pack --silent "$package")
	echo "$digest  $work/$archive" | sha256sum --check --quiet
	name=${package%@*}
	mkdir -p "$work/$name"
	tar -xzf "$work/$archive" -C "$work/$name" --strip-components=1
done <<<"$packages"

rm -rf "$out"
mkdir -p "$out"/{govbr-ds,raleway,fontawesome,htmx,zxing}

# The design system's tokens: colours, spacing, type. Its components are too
# heavy to load whole (docs/adr/0010-design-system.md).
cp "$work/@govbr-ds/core/dist/core-tokens.min.css" "$out/govbr-ds/"
cp "$work/@govbr-ds/core/LICENSE" "$out/govbr-ds/"
sed -i '/^\/\*# sourceMappingURL/d; s#/\*\# sourceMappingURL=[^*]*\*/##' "$out/govbr-ds/core-tokens.min.css"

for weight in 400 600; do
	cp "$work/@fontsource/raleway/files/raleway-latin-$weight-normal.woff2" "$out/raleway/"
done
cp "$work/@fontsource/raleway/LICENSE" "$out/raleway/"

cp "$work/htmx.org/dist/htmx.min.js" "$out/htmx/"
cp "$work/htmx.org/LICENSE" "$out/htmx/"

cp "$work/@zxing/library/umd/index.min.js" "$out/zxing/zxing.min.js"
cp "$work/@zxing/library/LICENSE" "$out/zxing/"

cp "$work/@fortawesome/fontawesome-free/LICENSE.txt" "$out/fontawesome/"
{
	echo '<svg xmlns="http://www.w3.org/2000/svg">'
	echo '<!-- Font Awesome Free 5.15.4 by @fontawesome - https://fontawesome.com, icons CC BY 4.0 -->'
	for icon in $icons; do
		sed -E "s#<svg [^>]*(viewBox=\"[^\"]*\")[^>]*>(<!--.*-->)?#<symbol id=\"$icon\" \1>#; s#</svg>#</symbol>#" \
			"$work/@fortawesome/fontawesome-free/svgs/solid/$icon.svg"
		echo
	done
	echo '</svg>'
} >"$out/fontawesome/icones.svg"
