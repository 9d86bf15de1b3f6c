#!/usr/bin/env bash
# A regex in a GritQL rule of Biome has to match a whole name. Where it has alternatives, the first is tied to the start only and the last
# to the end only, so longer names match as well.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
version=2.6.8
npm init -y >/dev/null && npm install --silent --no-audit --no-fund "@biomejs/biome@$version" >/dev/null || exit 2
cat >biome.json <<'JSON'
{ "plugins": ["./rule.grit"], "linter": { "rules": { "recommended": false } }, "formatter": { "enabled": false }, "assist": { "enabled": false } }
JSON
cat >names.js <<'JS'
const alpha = 1;
const alphabet = 2;
const beta = 3;
const rebeta = 4;
const gamma = 5;
JS
# The names that a rule with this regex reports.
reported() {
  printf 'JsIdentifierBinding() as $name where { $name <: r"%s", register_diagnostic(span=$name, message="named") }\n' "$1" >rule.grit
  npx biome lint --colors=off --reporter=json names.js 2>/dev/null >report.json || true
  node -e '
    const { diagnostics } = JSON.parse(require("node:fs").readFileSync("report.json", "utf8"));
    const lines = require("node:fs").readFileSync("names.js", "utf8").split("\n");
    console.log(diagnostics.map(({ location }) => lines[location.start.line - 1].split(" ")[1]).join(" "));'
}
one=$(reported 'alpha')
two=$(reported 'alpha|beta')
grouped=$(reported '(?:alpha|beta)')
echo "@biomejs/biome $version, names alpha, alphabet, beta, rebeta, gamma."
echo "r\"alpha\" reports: $one"
echo "r\"alpha|beta\" reports: $two"
echo "r\"(?:alpha|beta)\" reports: $grouped"
if [ "$one" = 'alpha' ] && [ "$two" = 'alpha alphabet beta rebeta' ] && [ "$grouped" = 'alpha beta' ]; then
  echo 'Still so: one name is matched as a whole, two alternatives are not. A rule with alternatives needs a group around them.'
else
  echo 'Changed: alternatives match other names than before.'
  exit 1
fi
