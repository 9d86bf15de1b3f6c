const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `Node ${process.versions.node} is too old to run the services. Use \`npm run bench\`, which brings its own Node on Linux, or Node 22.15 or later.\n`,
  );
  process.exit(2);
}
const { main } = await import('./cli.js');
process.exit(await main(process.argv.slice(2)));
