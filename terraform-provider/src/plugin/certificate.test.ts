import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { selfSigned } from './certificate.ts';

const NOW = Date.UTC(2026, 4, 11, 12, 0, 0);

test('a certificate that TLS clients take for localhost', () => {
  const { certPem, keyPem, der } = selfSigned(NOW);
  const certificate = new X509Certificate(certPem);
  expect(certificate.raw.equals(der)).toBe(true);
  expect(certificate.checkHost('localhost', { subject: 'never' })).toBe('localhost');
  expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(true);
  expect(certificate.keyUsage).toContain('1.3.6.1.5.5.7.3.1');
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
});

test('it is good from before now, for a day', () => {
  const certificate = new X509Certificate(selfSigned(NOW).certPem);
  expect(new Date(certificate.validFrom).getTime()).toBe(NOW - 30_000);
  expect(new Date(certificate.validTo).getTime()).toBe(NOW + 86_400_000);
});

test('no two have the same serial number, and none a negative one', () => {
  const serials = Array.from({ length: 8 }, () => new X509Certificate(selfSigned(NOW).der).serialNumber);
  expect(new Set(serials).size).toBe(8);
  for (const serial of serials) expect(serial).toMatch(/^01[0-9A-F]{30}$/);
});
