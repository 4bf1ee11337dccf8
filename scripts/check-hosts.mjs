import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { filesOfTree } from './tree.mjs';

// The library is the only place that may name these hosts: it is asked, so that this file does not name them either.
const { PackageURL, UrlConverter } = createRequire(new URL('../server/package.json', import.meta.url))(
  '@socketregistry/packageurl-js',
);

const SAMPLES = [
  'pkg:npm/sample@1.0.0',
  'pkg:pypi/sample@1.0.0',
  'pkg:cargo/sample@1.0.0',
  'pkg:golang/example.com/sample@v1.0.0',
  'pkg:maven/sample/sample@1.0.0',
];

/** Hosts of the public registries that no file may name, from the addresses the library makes for sample packages. */
function forbiddenHosts() {
  const hosts = SAMPLES.flatMap((sample) => {
    const purl = PackageURL.fromString(sample);
    const address = UrlConverter.toDownloadUrl(purl)?.url;
    if (!address) throw new Error(`The PURL library knows no download address for ${sample}.`);
    return [new URL(address).hostname];
  });
  return [...new Set(hosts)];
}

const hosts = forbiddenHosts();
const escaped = hosts.map((host) => host.replaceAll('.', '\\.'));
const mention = new RegExp(`(?<![\\w-])(?:[\\w-]+\\.)*(?:${escaped.join('|')})(?:(?=-index)|(?![\\w.-]*\\w))`, 'i');
const found = filesOfTree().flatMap((file) =>
  readFileSync(file, 'latin1')
    .split('\n')
    .flatMap((line, index) => (mention.test(line) ? [`${file}:${index + 1}: names a public registry's host`] : [])),
);
process.stdout.write(found.map((line) => `${line}\n`).join(''));
process.stdout.write(`${hosts.length} hosts, ${found.length} mentions\n`);
process.exitCode = found.length > 0 ? 1 : 0;
