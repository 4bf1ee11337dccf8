/** What an alert is about; it is raised once for as long as it lasts. */
export interface AlertKey {
  /** `claimed_name`, `hosted_name`, `version_conflict`, `damaged_blob`. */
  readonly kind: string;
  /** The virtual; of what is damaged, the hosted repository. */
  readonly repository: string;
  readonly member: string;
  /** Of the package, as its format has it; of what is damaged, the path. */
  readonly name: string;
}

export interface RaisedAlert extends AlertKey {
  readonly at: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AlertRow extends AlertKey {
  /** Grows: the order of pages. */
  readonly id: number;
  readonly since: number;
  readonly lastSeenAt: number;
  /** Absent: it lasts. */
  readonly endedAt?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AlertFilter extends Partial<AlertKey> {
  readonly state?: 'current' | 'ended';
}
