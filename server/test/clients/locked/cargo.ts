import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../../support/require-tool.ts';
import { type Ecosystem, found, partsOf } from './ecosystem.ts';

export const cargo: Ecosystem = {
  client: 'cargo',
  format: 'cargo',
  file: 'Cargo.lock',
  lock: async (context, machine, registry) => {
    const program = requireTool(context, 'cargo', 'rustup installs it');
    for (const folder of ['src', '.cargo']) await mkdir(join(machine.project, folder));
    await machine.write({
      'Cargo.toml':
        '[package]\nname = "walk"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nserde_json = "1"\ntoml = "0.9"\n',
      'src/main.rs': 'fn main() {}\n',
      '.cargo/config.toml': `[source.crates-io]\nreplace-with = "entrepot"\n[source.entrepot]\nregistry = "sparse+${registry}/"\n`,
    });
    const env = {
      CARGO_HOME: join(machine.home, 'cargo'),
      RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
    };
    await machine.succeed([program, 'generate-lockfile'], env);
  },
  releaseOf: async (purl, registry) => {
    const { name, version } = partsOf(purl);
    const lines = (await (await found(`${registry}/${pathOf(name)}`)).text()).split('\n').filter(Boolean);
    const entries = lines.map((line) => JSON.parse(line) as { vers: string; pubtime?: string });
    const { dl } = (await (await found(`${registry}/config.json`)).json()) as { dl: string };
    const time = entries.find(({ vers }) => vers === version)?.pubtime;
    return {
      published: time === undefined ? undefined : Date.parse(time),
      url: fileOf(dl, name, version),
    };
  },
};

/** Of a crate's file in the index, by the lengths of names that Cargo's book gives. */
function pathOf(crate: string): string {
  const name = crate.toLowerCase();
  if (name.length < 3) return `${name.length}/${name}`;
  if (name.length === 3) return `3/${name[0]}/${name}`;
  return `${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
}

function fileOf(dl: string, crate: string, version: string): string {
  const filled = dl.replaceAll('{crate}', crate).replaceAll('{version}', version);
  return filled === dl ? `${dl}/${crate}/${version}/download` : filled;
}
