import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Format, IndexTarget, ReleaseFile } from '../format.ts';
import { artifact, index, plain, text, traits } from './common.ts';

/*
 * Conda as far as it strains `Format`: it proves that the interface carries it, and is no format yet.
 * One index of a whole channel, in several encodings; times that are an author’s or the server’s.
 */

interface CondaRecord {
  readonly name: string;
  readonly version: string;
  readonly sha256?: string;
  readonly size?: number;
  readonly timestamp?: number;
  readonly indexed_timestamp?: number;
}

interface Repodata {
  readonly dir: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly records: ReadonlyMap<string, CondaRecord>;
}

export const conda: Format<Repodata> = {
  id: 'conda',
  traits: traits('Conda', 'conda', 'author'),
  parse({ path }) {
    const [, dir, file = ''] = /^(.+)\/([^/]+)$/.exec(path) ?? [];
    if (dir === undefined) return undefined;
    if (file === 'repodata.json' || file === 'repodata.json.zst') return repodata(dir, file);
    return /\.(conda|tar\.bz2)$/.test(file) ? artifact(path, 'package') : undefined;
  },
  locate: ({ kind, path }) => (kind === 'index' ? [{ path: `${path}.zst` }, { path }] : [{ path }]),
  /** A channel's subfolders are not listed anywhere: the one at hand, and the one that all have. */
  roster: (_name, near) => (near ? [repodata(folderOf(near.path), 'repodata.json')] : []),
  factsOf: ({ path }) => [repodata(folderOf(path), 'repodata.json')],
  index: {
    decode({ bytes, url }, { path }) {
      const json = JSON.parse(text(url.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes));
      const records = { ...json.packages, ...json['packages.conda'] };
      return {
        dir: folderOf(path),
        info: json.info ?? {},
        records: new Map<string, CondaRecord>(Object.entries(records)),
      };
    },
    *releases({ dir, records }) {
      for (const [file, record] of records)
        yield { name: record.name, version: record.version, files: [condaFile(dir, file, record)] };
    },
    keep: (doc, judge) => ({
      ...doc,
      records: new Map([...doc.records].filter(([file]) => !judge(`${doc.dir}/${file}`))),
    }),
    merge: (docs) => ({
      ...(docs[0] as Repodata),
      records: new Map(docs.toReversed().flatMap((doc) => [...doc.records])),
    }),
    encode({ info: { base_url: _theirs, ...info }, records }, { view }) {
      const packed = (conda: boolean) =>
        Object.fromEntries([...records].filter(([file]) => file.endsWith('.conda') === conda));
      const json = JSON.stringify({ info, packages: packed(false), 'packages.conda': packed(true) });
      if (!view.endsWith('.zst')) return { bytes: json, type: 'application/json' };
      return { bytes: zstdCompressSync(json), type: 'application/zstd' };
    },
  },
  fault: plain,
};

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

const repodata = (dir: string, view: string): IndexTarget => index(`${dir}/repodata.json`, view);

/** The builder's clock is an author's; the time of indexing is the channel's. */
function condaFile(dir: string, file: string, record: CondaRecord): ReleaseFile {
  const at = record.indexed_timestamp ?? record.timestamp;
  return {
    path: `${dir}/${file}`,
    ...(record.sha256 && { digest: `sha256:${record.sha256}` as const }),
    ...(record.size !== undefined && { size: record.size }),
    ...(at !== undefined && { published: { at, by: record.indexed_timestamp === undefined ? 'author' : 'server' } }),
  };
}
