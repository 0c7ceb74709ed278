/** One part of an element string's data: a character class and a length. */
export interface Component {
  /** N digits · X character set 82 · Y character set 39 · Z base64url. */
  readonly set: 'N' | 'X' | 'Y' | 'Z';
  readonly min: number;
  readonly max: number;
  readonly optional: boolean;
  /** `digit`: ends in the modulo-10 check digit; `pair`: in the check character pair of a GMN. */
  readonly check: 'none' | 'digit' | 'pair';
}

export interface ApplicationIdentifier {
  readonly ai: string;
  /** Ends by its length; every other one ends at FNC1 or the end of the symbol. */
  readonly predefinedLength: boolean;
  readonly components: readonly Component[];
}

/**
 * `AI or first-last: [*]components`. `*` = predefined length; `N6` six digits, `X..20` one to twenty, `[…]` optional,
 * `#` a check digit at the component's end, `##` a check character pair.
 * @see GS1 General Specifications, section 3; GS1 Barcode Syntax Dictionary
 */
const TABLE = `
00:*N18#          01:*N14#          02:*N14#          03:*N14#          10:X..20          11:*N6
12:*N6            13:*N6            15:*N6            16:*N6            17:*N6            20:*N2
21:X..20          22:X..20          235:X..28         240:X..30         241:X..30         242:N..6
243:X..20         250:X..30         251:X..30         253:N13#,[X..17]  254:X..20         255:N13#,[N..12]
30:N..8           37:N..8           3100-3105:*N6     3110-3115:*N6     3120-3125:*N6     3130-3135:*N6
3140-3145:*N6     3150-3155:*N6     3160-3165:*N6     3200-3205:*N6     3210-3215:*N6     3220-3225:*N6
3230-3235:*N6     3240-3245:*N6     3250-3255:*N6     3260-3265:*N6     3270-3275:*N6     3280-3285:*N6
3290-3295:*N6     3300-3305:*N6     3310-3315:*N6     3320-3325:*N6     3330-3335:*N6     3340-3345:*N6
3350-3355:*N6     3360-3365:*N6     3370-3375:*N6     3400-3405:*N6     3410-3415:*N6     3420-3425:*N6
3430-3435:*N6     3440-3445:*N6     3450-3455:*N6     3460-3465:*N6     3470-3475:*N6     3480-3485:*N6
3490-3495:*N6     3500-3505:*N6     3510-3515:*N6     3520-3525:*N6     3530-3535:*N6     3540-3545:*N6
3550-3555:*N6     3560-3565:*N6     3570-3575:*N6     3600-3605:*N6     3610-3615:*N6     3620-3625:*N6
3630-3635:*N6     3640-3645:*N6     3650-3655:*N6     3660-3665:*N6     3670-3675:*N6     3680-3685:*N6
3690-3695:*N6     3900-3909:N..15   3910-3919:N3,N..15  3920-3929:N..15  3930-3939:N3,N..15  3940-3943:N4
3950-3955:N6      400:X..30         401:X..30         402:N17#          403:X..30         410-417:*N13#
420:X..20         421:N3,X..9       422:N3            423:N..15         424:N3            425:N..15
426:N3            427:X..3          4300-4301:X..35   4302-4306:X..70   4307:X2           4308:X..30
4309:N20          4310-4311:X..35   4312-4316:X..70   4317:X2           4318:X..20        4319:X..30
4320:X..35        4321-4323:N1      4324-4325:N10     4326:N6           4330-4333:N6,[X1] 7001:N13
7002:X..30        7003:N10          7004:N..4         7005:X..12        7006:N6           7007:N6,[N6]
7008:X..3         7009:X..10        7010:X..2         7011:N6,[N4]      7020:X..20        7021:X..20
7022:X..20        7023:X..30        7030-7039:N3,X..27  7040:N1,X3      7041:X..4         710-717:X..20
7230-7239:X2,X..28  7240:X..20      7241:N2           7242:X..25        7250:N8           7251:N12
7252:N1           7253:X..40        7254:X..40        7255:X..10        7256:X..90        7257:X..70
7258:X3           7259:X..40        8001:N14          8002:X..20        8003:N14#,[X..16] 8004:X..30
8005:N6           8006:N14#,N4      8007:X..34        8008:N8,[N..4]    8009:X..50        8010:Y..30
8011:N..12        8012:X..20        8013:X..25##      8014:X..25##      8017:N18#         8018:N18#
8019:N..10        8020:X..25        8026:N14#,N4      8030:Z..90        8110:X..70        8111:N4
8112:X..70        8200:X..70        90:X..30          91-99:X..90
`;

function component(text: string): Component {
  const parts = /^(\[)?([NXYZ])(\.\.)?(\d+)(#{0,2})\]?$/.exec(text);
  if (parts === null) throw new TypeError(`no component of an element string: ${text}`);
  const max = Number(parts[4]);
  return {
    set: parts[2] as Component['set'],
    min: parts[3] === undefined ? max : 1,
    max,
    optional: parts[1] !== undefined,
    check: parts[5] === '#' ? 'digit' : parts[5] === '##' ? 'pair' : 'none',
  };
}

function readTable(): ReadonlyMap<string, ApplicationIdentifier> {
  const table = new Map<string, ApplicationIdentifier>();
  for (const row of TABLE.trim().split(/\s+/)) {
    const [range = '', format = ''] = row.split(':');
    const [first = '', last = first] = range.split('-');
    const predefinedLength = format.startsWith('*');
    const components = format.replace('*', '').split(',').map(component);
    for (let number = Number(first); number <= Number(last); number += 1) {
      const ai = String(number).padStart(first.length, '0');
      table.set(ai, { ai, predefinedLength, components });
    }
  }
  return table;
}

const identifiers: ReadonlyMap<string, ApplicationIdentifier> = readTable();

/** The application identifier called `ai`. */
export function findIdentifier(ai: string): ApplicationIdentifier | undefined {
  return identifiers.get(ai);
}

/** The application identifier that `text` begins with from `start` on; none is the beginning of another one. */
export function identifierAt(text: string, start: number): ApplicationIdentifier | undefined {
  for (let length = 2; length <= 4; length += 1) {
    const found = identifiers.get(text.slice(start, start + length));
    if (found !== undefined) return found;
  }
  return undefined;
}
