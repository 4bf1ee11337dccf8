import { createHash, randomBytes } from 'node:crypto';

/** What is measured, and how much of nginx's figure it must reach in the same run. */
export interface Row {
  readonly name: string;
  /** Below the repository here, and below the sample's folder of the upstream for nginx. */
  readonly path: string;
  readonly target: number;
  /** Default: requests. */
  readonly by?: 'requests' | 'bytes';
  /** Default 32. */
  readonly connections?: number;
  /** Of each turn; default 2. */
  readonly seconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks with the tag that the answer came with. */
  readonly conditional?: boolean;
  /** Asks for so many paths in turn: `path` with 0, 1, … after it. */
  readonly rotate?: number;
}

/** What an upstream of one format has, and what is asked of it. */
export interface Sample {
  readonly format: string;
  readonly rows: readonly Row[];
  /** The path below a server's root where clients look for the protocol; default: none. */
  readonly root?: 'v2';
  /** `hosted`: what the upstream has for nginx is published here. Default: a remote of the upstream. */
  readonly kind?: 'hosted';
  /** Asked for before anything is measured, in this order: what a client reads before it knows of the rest. */
  readonly before?: readonly string[];
  /** What the upstream answers, by path; `base`: the address of the sample's folder there. */
  answers(base: string): Readonly<Record<string, Answer>>;
}

export interface Answer {
  readonly body: Buffer;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Compressed for clients that take it. */
  readonly gzip?: Buffer;
}

/** What every format is held to: an index of about 2 kB, a file of 30 kB. */
export const INDEX_TARGET = 0.6;
export const FILE_TARGET = 0.45;
export const FILE_SIZE = 30_000;

/** A package that never was, in so many versions, the newest first. */
export const NAME = 'small';
export const VERSIONS: readonly string[] = ['1.0.0', ...Array.from({ length: 8 }, (_, minor) => `0.${8 - minor}.0`)];

export const file = (): Buffer => randomBytes(FILE_SIZE);

/** Where the upstream has what the sample has. */
export const folderOf = ({ format, root }: Sample): string =>
  root === undefined ? `/${format}` : `/${format}/${root}`;

export const binary = (body: Buffer): Answer => ({ body, type: 'application/octet-stream' });

export const text = (body: string, type: string): Answer => ({ body: Buffer.from(body), type });

export const hex = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');
