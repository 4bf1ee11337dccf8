import { bytes, duration } from '../../contract/index.ts';

export interface HostedSettings {
  readonly name: string;
  /** Bytes. */
  readonly maxSize?: number;
  readonly maxArtifactSize?: number;
  /** Milliseconds. */
  readonly maxAge?: number;
}

export function hostedSettings(name: string, spec: Readonly<Record<string, unknown>>): HostedSettings {
  const { max_size: size, max_artifact_size: artifactSize, max_age: age } = spec;
  return {
    name,
    ...(typeof size === 'string' ? { maxSize: bytes(size) } : {}),
    ...(typeof artifactSize === 'string' ? { maxArtifactSize: bytes(artifactSize) } : {}),
    ...(typeof age === 'string' ? { maxAge: duration(age) } : {}),
  };
}
