import { createPrivateKey, X509Certificate } from 'node:crypto';
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from './example-pem.ts';
import { Field } from './field.ts';
import { Check } from './resource.ts';

/** The certificate a remote shows to an upstream that asks for one. */
@Check((client: ClientCert) =>
  new X509Certificate(client.cert_pem).checkPrivateKey(createPrivateKey(client.key_pem))
    ? []
    : [{ path: ['key_pem'], message: 'must be the key of the certificate in cert_pem: it is of another one' }],
)
export class ClientCert {
  @Field.pem('The certificate, then any intermediate ones, PEM.', 'certificates', {
    required: true,
    example: EXAMPLE_CERTIFICATE,
  })
  cert_pem!: string;

  @Field.pem('Its private key, PEM, without a passphrase.', 'private key', {
    required: true,
    secret: true,
    example: EXAMPLE_KEY,
  })
  key_pem!: string;
}

/** How long a remote waits for its upstream. There is no limit on a whole transfer: a large file may take its time. */
export class Timeouts {
  @Field.duration('For a connection, TLS included. From 100ms to 5m.', { min: '100ms', max: '5m', example: '5s' })
  connect = '10s';

  @Field.duration('From the request to the headers of the answer. From 100ms to 30m.', {
    min: '100ms',
    max: '30m',
    example: '1m',
  })
  headers = '30s';

  @Field.duration('Between two pieces of a body. From 100ms to 30m.', { min: '100ms', max: '30m', example: '45s' })
  idle = '60s';
}
