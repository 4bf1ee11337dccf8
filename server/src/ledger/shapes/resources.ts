export interface ResourceRow {
  readonly kind: string;
  readonly name: string;
  /** As declared. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Grows by one with every change of any resource. */
  readonly revision: number;
  readonly managedBy: ManagedBy;
  /** Set while a deleted resource serves until its last reference goes. */
  readonly retiring: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type ManagedBy = 'api' | 'defaults' | 'file';

export type ResourceChange =
  | {
      readonly op: 'put';
      readonly kind: string;
      readonly name: string;
      readonly spec: Readonly<Record<string, unknown>>;
      readonly managedBy: ManagedBy;
      readonly retiring?: boolean;
      /** The revision it must have; 'absent': must not exist; undefined: whatever. */
      readonly expect?: number | 'absent';
    }
  | { readonly op: 'delete'; readonly kind: string; readonly name: string; readonly expect?: number };
