/** What a column does not have is absent, not null or undefined. */
export function present<Row extends object>(row: Row): Present<Row> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value != null)) as Present<Row>;
}

type Present<Row> = { [Key in keyof Row]: Exclude<Row[Key], null | undefined> };
