#!/usr/bin/env bash
# Fastify reads a JSON body as UTF-8 whatever charset its content type names, and puts U+FFFD in place of what it cannot read.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund fastify@5.12.8 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const fastify = require('fastify');
const { version } = require('fastify/package.json');
const app = fastify();
app.post('/', (request) => request.body);
const contentType = 'application/json; charset=iso-8859-1';
app
  .inject({ method: 'POST', url: '/', headers: { 'content-type': contentType }, payload: Buffer.from('{"name":"Jürgen"}', 'latin1') })
  .then((answer) => {
    console.log(`fastify ${version}, {"name":"Jürgen"} in ISO-8859-1, sent as ${contentType}.`);
    console.log(`answer: ${answer.statusCode} ${answer.body}`);
    const still = answer.statusCode === 200 && answer.json().name === 'J\ufffdrgen';
    console.log(
      still
        ? 'Still so: the charset is not looked at, and the name is taken with another letter and without an error.'
        : 'Changed: the body is read in its charset, or refused.',
    );
    process.exit(still ? 0 : 1);
  });
JS
node finding.cjs
