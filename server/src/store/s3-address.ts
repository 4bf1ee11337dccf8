/** Where a bucket is, and with which key. */
export interface S3Address {
  readonly bucket: string;
  /** Before every key: empty, or ending in `/`. */
  readonly prefix: string;
  /** Origin of the server: `https://s3.example.com:9000`. */
  readonly endpoint: string;
  readonly region: string;
  /** `https://host/bucket/key`; false: `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
}
