import type {Sql} from './db.ts';

export type Firmware = 'bios' | 'uefi';

export type BootTest = {
  readonly firmware: Firmware;
  readonly passed: boolean;
  readonly durationMs: number;
  /** The last lines of the serial console when it failed. */
  readonly consoleTail: string;
  readonly failure: string;
  readonly reusedFromImageId: string | undefined;
};

type Row = Omit<BootTest, 'reusedFromImageId'> & {
  readonly imageId: string;
  readonly reusedFromImageId: string | null;
};

export async function insertBootTests(
  sql: Sql,
  imageId: string,
  tests: readonly BootTest[],
): Promise<void> {
  if (tests.length === 0) return;
  const rows = tests.map(test => ({
    ...test,
    imageId,
    reusedFromImageId: test.reusedFromImageId ?? null,
  }));
  await sql`insert into boot_tests ${sql(rows)} on conflict do nothing`;
}

export async function listBootTests(
  sql: Sql,
  imageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly BootTest[]>> {
  const found = new Map<string, BootTest[]>();
  if (imageIds.length === 0) return found;
  const rows = await sql<Row[]>`
    select * from boot_tests where image_id in ${sql(imageIds)} order by image_id, firmware
  `;
  for (const {imageId, reusedFromImageId, ...row} of rows) {
    const tests = found.get(imageId) ?? [];
    tests.push({...row, reusedFromImageId: reusedFromImageId ?? undefined});
    found.set(imageId, tests);
  }
  return found;
}

/** The first passed test of these parts stays. */
export async function insertBootTestResult(
  sql: Sql,
  result: {
    readonly artifactsKey: string;
    readonly firmware: Firmware;
    readonly durationMs: number;
    readonly imageId: string;
  },
): Promise<void> {
  await sql`insert into boot_test_results ${sql(result)} on conflict do nothing`;
}

export async function listBootTestResults(
  sql: Sql,
  artifactsKey: string,
): Promise<
  readonly {readonly firmware: Firmware; readonly durationMs: number; readonly imageId: string}[]
> {
  return sql<{firmware: Firmware; durationMs: number; imageId: string}[]>`
    select firmware, duration_ms, image_id from boot_test_results
    where artifacts_key = ${artifactsKey} order by firmware
  `;
}
