import type { IncomingMessage, ServerResponse } from 'node:http';
import { isKnown } from '../access/access.ts';
import type { Reply } from '../engine/answer/serve.ts';
import { Fault } from '../engine/fault.ts';
import type { Body, Publication } from '../engine/format.ts';
import type { Publisher, Receipt } from '../engine/hosted/publisher.ts';
import type { Incoming } from '../engine/hosted/reception.ts';
import type { Ask } from '../engine/source.ts';
import { note } from '../engine/trail.ts';
import { announcedDigests } from './announced-digests.ts';
import { invite } from './expectation.ts';

export interface Publishing {
  readonly publication: Publication;
  readonly publisher: Publisher;
  /** Its name. */
  readonly repository: string;
}

/** Takes what a request publishes. Whatever speaks against it is said before its body is asked for. Throws `Fault`. */
export async function publish(
  request: IncomingMessage,
  response: ServerResponse,
  ask: Ask,
  { publication, publisher, repository }: Publishing,
): Promise<Reply> {
  requireAllowed(ask, repository);
  const receipt = await publisher.publish(publication, incoming(request, response, publication));
  note({ result: receipt.result });
  return { kind: 'body', body: bodyOf(receipt), headers: {} };
}

function requireAllowed(ask: Ask, repository: string): void {
  if (isKnown(ask)) return;
  throw new Fault('unauthenticated', `Publishing to "${repository}" needs a token, as the password of any user name.`);
}

const STATUS: Readonly<Record<Receipt['result'], number>> = {
  created: 201,
  replaced: 200,
  known: 200,
  changed: 200,
  removed: 204,
};

function bodyOf({ result, digest, tag, answer }: Receipt): Body {
  if (answer) return answer;
  const headers = digest === undefined || tag === undefined ? {} : { etag: `"${tag}"`, 'x-entrepot-digest': digest };
  return { bytes: '', type: 'text/plain; charset=utf-8', status: STATUS[result], headers };
}

/** Refuses what would not be the bytes that are meant (RFC 9110 §14.5: a part of them). */
function incoming(request: IncomingMessage, response: ServerResponse, publication: Publication): Incoming {
  const { headers } = request;
  const length = headers['content-length'];
  if (takesNothing(publication)) return { size: 0, type: undefined, chunks: chunksOf(request, response) };
  if (headers['content-range'] !== undefined)
    throw new Fault('invalid', 'A file is published whole: Content-Range is not possible here.');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Fault('unsupported_media_type', 'A file is kept as it is sent: send it without Content-Encoding.');
  if (length === undefined && headers['transfer-encoding'] === undefined)
    throw new Fault(
      'invalid',
      'The request says neither how long its body is (Content-Length) nor that it is in chunks.',
    );
  return {
    size: length === undefined ? undefined : Number(length),
    type: headers['content-type'],
    digests: announcedDigests(headers),
    chunks: chunksOf(request, response),
  };
}

function takesNothing(publication: Publication): boolean {
  return publication.kind === 'removal' || (publication.kind === 'change' && publication.body.shape === 'none');
}

/** What is left of a body that is not wanted any more is read and forgotten: else the client would not hear why. */
async function* chunksOf(request: IncomingMessage, response: ServerResponse): AsyncGenerator<Uint8Array, void> {
  invite(request, response);
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw new Fault('invalid', 'The upload broke off: nothing was kept.', { cause: error });
  } finally {
    request.resume();
  }
}
