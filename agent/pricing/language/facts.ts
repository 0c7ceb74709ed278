/** What a rule may ask about. All are facts of a kit or an item; none is about a person, so no rule can use one. */
export interface FactDeclaration {
  readonly name: string;
  readonly unit: string;
  readonly means: string;
  /** The words of an enumeration; absent for an integer. */
  readonly words?: readonly string[];
}

const declarations: readonly FactDeclaration[] = [
  { name: 'stock', unit: 'items', means: 'on the shelf now' },
  { name: 'sold_today', unit: 'items', means: 'sold less returned since local midnight' },
  { name: 'sell_through_bp', unit: 'bp', means: 'sold less returned over what there was to sell' },
  { name: 'footfall_in_15m', unit: 'crossings', means: 'people in during the last 15 minutes' },
  { name: 'footfall_in_60m', unit: 'crossings', means: 'people in during the last 60 minutes' },
  { name: 'conversion_bp', unit: 'bp', means: 'sales over people in during the last 60 minutes' },
  { name: 'minutes_open', unit: 'min', means: 'since the pop-up opened' },
  { name: 'minutes_left', unit: 'min', means: 'until the pop-up closes for good' },
  { name: 'temperature_dc', unit: '0.1 °C', means: 'temperature at the kit' },
  { name: 'rung', unit: 'index', means: 'where the item stands on the ladder' },
  { name: 'price_minor', unit: 'minor units', means: 'the standing price' },
  { name: 'budget_left_minor', unit: 'minor units', means: 'discount that may still be given today' },
  {
    name: 'daypart',
    unit: 'word',
    means: 'local time of day: until 11, until 14, until 17, after',
    words: ['morning', 'midday', 'afternoon', 'evening'],
  },
  {
    name: 'weekday',
    unit: 'word',
    means: 'local day',
    words: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  },
];

/** A Map, so that no name of Object.prototype is ever found in it. */
export const facts: ReadonlyMap<string, FactDeclaration> = new Map(declarations.map((fact) => [fact.name, fact]));

export const factNames: readonly string[] = declarations.map((fact) => fact.name);
