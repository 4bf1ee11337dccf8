import { createPrivateKey, X509Certificate } from 'node:crypto';

export type PemKind = 'certificates' | 'private key';

/** Throws with a sentence for a person when the text is not PEM of that kind. Never quotes it: it may be a secret. */
export function checkPem(text: string, kind: PemKind): void {
  if (kind === 'private key') return checkKey(text);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new RangeError('must be PEM: text that starts with -----BEGIN CERTIFICATE-----');
  blocks.forEach((block, index) => {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new RangeError(`certificate ${index + 1} of ${blocks.length} cannot be read`, { cause });
    }
  });
}

function checkKey(text: string): void {
  if (/-----BEGIN (ENCRYPTED|.*\n.*Proc-Type: 4,ENCRYPTED)/.test(text)) {
    throw new RangeError('must be a private key without a passphrase');
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new RangeError('must be PEM: text that starts with -----BEGIN PRIVATE KEY-----');
  }
  try {
    createPrivateKey(text);
  } catch (cause) {
    throw new RangeError('must be a private key that can be read: this one is damaged or of an unknown kind', {
      cause,
    });
  }
}
