#!/usr/bin/env bash
# Intl.NumberFormat in place of a table of ISO 4217 reads amounts of money wrong by a factor of 100 or 1000.
#
# An engineer who needs the decimals of a currency often asks
#   new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits
# ISO 4217 gives HUF, IDR, COP, PKR and ALL two decimals, and IQD three. Intl says 0 for each: it follows CLDR, which tells
# how prices are usually written. Whoever turns "2500.00 HUF" into minor units by Intl stores 2500 in place of 250000.
#
# Seen with: Node 20.20.2 (its own ICU), Node 24.21.0; currency-codes 2.2.0, which carries the list of ISO 4217.
# Output seen:
#   differ: ALL 2/0 COP 2/0 HUF 2/0 IDR 2/0 IQD 3/0 PKR 2/0
#   agree:  BHD 3/3 EUR 2/2 JPY 0/0 KWD 3/3
# Exit status: 0 while it is so, 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit currency-codes@2.2.0 >/dev/null
cat >look.cjs <<'JS'
const { code } = require('currency-codes');
const both = (currency) => {
  const intl = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  return { currency, iso: code(currency).digits, intl };
};
const line = (list) => list.map(({ currency, iso, intl }) => `${currency} ${iso}/${intl}`).join(' ');
const differ = ['ALL', 'COP', 'HUF', 'IDR', 'IQD', 'PKR'].map(both);
const agree = ['BHD', 'EUR', 'JPY', 'KWD'].map(both);
console.log(`Node ${process.versions.node}, ICU ${process.versions.icu}, CLDR ${process.versions.cldr}; decimals by ISO 4217 / by Intl`);
console.log(`differ: ${line(differ)}`);
console.log(`agree:  ${line(agree)}`);
process.exitCode = differ.every((c) => c.iso !== c.intl) && agree.every((c) => c.iso === c.intl) ? 0 : 1;
JS
node look.cjs
