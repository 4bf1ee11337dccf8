import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits; the prefix lets secret scanners and people recognise it. */
export function makeToken(): string {
  return `entrepot_${randomBytes(32).toString('base64url')}`;
}

/** Whether it is the one token, in a time that says nothing about how much of it is right. */
export function tokenCheck(token: string): (candidate: string) => boolean {
  const expected = digest(token);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
