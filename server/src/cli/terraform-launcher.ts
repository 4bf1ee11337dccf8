/**
 * The file that Terraform starts. It runs `bundle`, which lies beside it, with the Node that the installation chose,
 * else with the one on PATH when that is new enough. Its words go to stdout because Terraform shows the user the first
 * line of that, and only that, when a plugin does not start.
 */
export function launcher(bundle: string): string {
  return `#!/bin/sh
here=\${0%/*}
for node in "$ENTREPOT_NODE" "$HOME/.terraform.d/entrepot/node"; do
  if [ -f "$node" ] && [ -x "$node" ]; then exec "$node" "$here/${bundle}" "$@"; fi
done
if [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20' 2>/dev/null)" = true ]; then
  exec node "$here/${bundle}" "$@"
fi
echo 'The Entrepot provider needs Node.js 20 or newer and found none: run "entrepot terraform install" again, or set ENTREPOT_NODE to the path of one.'
exit 1
`;
}
