import { createHash, randomBytes } from 'node:crypto';
import type { Reply } from '../../support/fake-upstream-answer.ts';

/** What a suite over every format needs of one: a small upstream, and what clients ask for. Made anew, its files are others. */
export interface Sample {
  /** What the upstream says, by path; its own address is written `https://upstream.test`. */
  readonly upstream: Readonly<Record<string, Reply>>;
  /** The same ones, in the same order, every time. */
  readonly requests: readonly SampleRequest[];
}

export interface SampleRequest {
  readonly title: string;
  readonly kind: 'index' | 'artifact';
  /** Below the repository, as a client sends it. */
  readonly path: string;
  readonly accept?: string;
  /** Where the upstream has it; default: the same path. */
  readonly upstream?: string;
  /** Under which path it is kept; default: the same, without its first slash. */
  readonly row?: string;
  /** What clients of this protocol have asked for before. */
  readonly before?: readonly string[];
  /** Its digest is known before its bytes are, so that other bytes are recognised. */
  readonly digested?: true;
  /** Once it is here nothing makes it be asked for again. */
  readonly forEver?: true;
  /** The upstream is asked for its headers alone: nothing is wrong with it when its body is. */
  readonly byHead?: true;
  /** That it is not there is believed through an outage too, as apt needs it of InRelease. */
  readonly absenceLasts?: true;
  /** Nothing at all is a right answer too. */
  readonly mayBeEmpty?: true;
}

/** A file larger, and one smaller, than what is checked before its first byte is sent. */
export const large = (): Buffer => randomBytes(200_000);
export const small = (): Buffer => randomBytes(1000);

export const sha1 = (bytes: string | Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function reply(body: string | Uint8Array, type: string): Reply {
  return { body, headers: { 'content-type': type }, etag: sha1(body) };
}
