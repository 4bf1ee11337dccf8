import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { FreshMachine, Outcome } from './clients.ts';

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly key: string; readonly optional?: boolean } };
}

/** Of a StatefulSet, as far as these tests look at it. */
export interface PodsOf {
  readonly replicas: number;
  readonly template: {
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly containers: readonly {
        readonly image: string;
        readonly env: readonly Variable[];
        readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        readonly securityContext: unknown;
        readonly livenessProbe: unknown;
        readonly readinessProbe: unknown;
      }[];
      readonly securityContext: unknown;
    };
  };
}

const CHART = fileURLToPath(new URL('../../../deploy/helm/entrepot', import.meta.url));

/** The chart and the helm that renders it. */
export class Chart {
  readonly #machine: FreshMachine;
  readonly #helm: string;

  constructor(machine: FreshMachine, helm: string) {
    this.#machine = machine;
    this.#helm = helm;
  }

  /** `values`: as after `--set`. */
  run(command: readonly string[], values: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const given = Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    return this.#machine.run([this.#helm, ...command, CHART, ...given]);
  }

  /** What would be sent to Kubernetes, as text. Throws with what helm says. */
  async rendered(values: Readonly<Record<string, string>>): Promise<string> {
    const { code, text } = await this.run(['template', 'packages'], values);
    if (code !== 0) throw new Error(text);
    return text;
  }

  async manifests(values: Readonly<Record<string, string>>): Promise<readonly Manifest[]> {
    return parseAllDocuments(await this.rendered(values)).map((document) => document.toJS() as Manifest);
  }
}
