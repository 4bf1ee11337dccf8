import type { EncodeSite, Format, IndexTarget, ReleaseFile } from '../format.ts';
import { artifact, firstOfEach, index, plain, text, traits } from './common.ts';

/*
 * RubyGems as far as it strains `Format`: it proves that the interface carries it, and is no format yet.
 * An index that holds checksums of our renditions of others, and paths that do not say where a name ends.
 */

interface Gem {
  readonly name: string;
  /** `1.0.0` or `1.0.0-java`. */
  readonly number: string;
  readonly line: string;
  readonly sha256?: string;
  readonly at?: number;
}

/** `/info/<gem>` and `/versions` both: the second has no checksums of gems, but one of each of the first. */
interface Gems {
  readonly gems: readonly Gem[];
  readonly infoMd5: ReadonlyMap<string, string>;
}

const VERSIONS = index('versions', 'versions');
const gemInfo = (name: string): IndexTarget => index(`info/${name}`, 'info', name);

export const rubygems: Format<Gems> = {
  id: 'gem',
  traits: traits('RubyGems', 'gem', 'index'),
  parse({ path }) {
    if (path === 'versions') return VERSIONS;
    const name = /^info\/([^/]+)$/.exec(path)?.[1];
    if (name !== undefined) return gemInfo(name);
    return /^gems\/[^/]+\.gem$/.test(path) ? artifact(path, 'package') : undefined;
  },
  roster: (name) => [gemInfo(name)],
  /** `a-b-1.0-java` may be of `a-b-1.0`, `a-b` or `a`: whichever there is says so. */
  factsOf(target) {
    if (target.kind === 'index') return [target];
    const full = target.path.slice('gems/'.length, -'.gem'.length).split('-');
    const names = full.slice(1).map((_part, at) => full.slice(0, full.length - 1 - at).join('-'));
    return names.map((name) => ({ ...gemInfo(name), optional: true }));
  },
  index: {
    decode({ bytes }, { name }) {
      const lines = text(bytes).split('\n');
      const body = lines.slice(lines.indexOf('---') + 1).filter((line) => line !== '');
      return name === undefined
        ? gemVersions(body)
        : { gems: body.map((line) => infoGem(name, line)), infoMd5: new Map() };
    },
    *releases({ gems }) {
      for (const gem of gems) yield { name: gem.name, version: gem.number, files: [gemFile(gem)] };
    },
    keep: (doc, judge) => ({ ...doc, gems: doc.gems.filter((gem) => !judge(gemFile(gem).path)) }),
    merge: (docs) => ({
      gems: firstOfEach(
        docs.flatMap((doc) => doc.gems),
        (gem) => gemFile(gem).path,
      ),
      infoMd5: new Map(docs.toReversed().flatMap((doc) => [...doc.infoMd5])),
    }),
    encode({ gems, infoMd5 }, { name }, site) {
      const lines = name === undefined ? versionLines(gems, infoMd5, site) : gems.map((gem) => gem.line);
      return { bytes: `---\n${lines.join('\n')}\n`, type: 'text/plain' };
    },
  },
  fault: plain,
};

function gemVersions(lines: readonly string[]): Gems {
  const rows = lines.map((line) => line.split(' '));
  const gems = rows.flatMap(([name = '', numbers = '']) =>
    numbers.split(',').map((number) => ({ name, number, line: '' })),
  );
  return { gems, infoMd5: new Map(rows.map(([name = '', , md5 = '']) => [name, md5])) };
}

function infoGem(name: string, line: string): Gem {
  const [number = ''] = line.split(' ');
  const sha256 = /[|,]checksum:([0-9a-f]{64})/.exec(line)?.[1];
  const created = /,created_at:([^,]+)/.exec(line)?.[1];
  return { name, number, line, ...(sha256 && { sha256 }), ...(created && { at: Date.parse(created) }) };
}

const gemFile = ({ name, number, sha256, at }: Gem): ReleaseFile => ({
  path: `gems/${name}-${number}.gem`,
  ...(sha256 && { digest: `sha256:${sha256}` as const }),
  ...(at !== undefined && { published: { at, by: 'server' as const } }),
});

/** The MD5 must be that of `/info/<gem>` as we serve it, or bundler fetches it again on every run. */
function versionLines(gems: readonly Gem[], infoMd5: ReadonlyMap<string, string>, site: EncodeSite): readonly string[] {
  return [...Map.groupBy(gems, (gem) => gem.name)].map(([name, of]) => {
    const md5 = site.rendered(gemInfo(name), 'md5') ?? infoMd5.get(name);
    return `${name} ${of.map((gem) => gem.number).join(',')} ${md5}`;
  });
}
