import type { FastifyInstance } from 'fastify';
import { Fault } from '../engine/fault.ts';

/** Bytes of a body. */
export const BODY_LIMIT = 1024 * 1024;
/** No document of ours is nested half as deep; deeper ones only break what walks them. */
const DEEPEST = 40;

/** The management API takes JSON and nothing else. */
export function acceptJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (_request, body, done) => {
      try {
        done(null, parseJson(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** Undefined for an empty body. Throws `Fault('invalid')`. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new Fault('invalid', 'The body is not UTF-8.', { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault('invalid', `The body is not JSON: ${(error as Error).message.slice(0, 200)}.`, { cause: error });
  }
  if (deeperThan(value, DEEPEST)) throw new Fault('invalid', `The body is nested deeper than ${DEEPEST} levels.`);
  return value;
}

/** Without recursion: a megabyte of brackets is deeper than the stack. */
function deeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
