import { Malformed } from '../../engine/format.ts';
import { isJson, type Json, own, ownText, parseJson } from '../json.ts';

export interface Provenance {
  readonly predicateType: string;
  /** As the attestations of a release are served. */
  readonly bytes: Uint8Array;
}

/**
 * The Sigstore bundle that is published with a tarball: a DSSE envelope around an in-toto statement about it. Whether its
 * signature holds is for those to say who trust its signer; that it is about these bytes is checked. Throws `Malformed`.
 */
export function provenanceOf(text: string, sha512: string): Provenance {
  const bundle = parseJson(Buffer.from(text), 'The Sigstore bundle');
  const envelope = own(bundle, 'dsseEnvelope');
  const payload = isJson(envelope) ? ownText(envelope, 'payload') : undefined;
  if (payload === undefined) throw new Malformed('The Sigstore bundle has no DSSE envelope');
  const statement = parseJson(Buffer.from(payload, 'base64'), 'The statement in the Sigstore bundle');
  const predicateType = ownText(statement, 'predicateType');
  const subjects = own(statement, 'subject');
  const isMeant = Array.isArray(subjects) && subjects.some((subject) => isJson(subject) && isAbout(subject, sha512));
  if (predicateType === undefined || !isMeant) throw new Malformed('The Sigstore bundle is about other bytes');
  return { predicateType, bytes: Buffer.from(JSON.stringify({ attestations: [{ predicateType, bundle }] })) };
}

function isAbout(subject: Json, sha512: string): boolean {
  const digest = own(subject, 'digest');
  return isJson(digest) && ownText(digest, 'sha512')?.toLowerCase() === sha512;
}
