import type { YamlFile } from '../yaml-file.ts';

type Place = readonly (string | number)[];

/** One value that may be changed on the page. */
export interface Editable {
  readonly place: Place;
  readonly kind: 'model' | 'weight' | 'amount';
  readonly label: string;
  readonly value: string | number;
}

/** Values that are changed together. */
export interface EditableGroup {
  readonly title: string;
  readonly items: readonly Editable[];
  /** The split that it belongs to, which must not run while its weights change. */
  readonly experiment?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What of a valid configuration file may be changed on the page: models of ladders, weights, and amounts of limits. */
export function editableGroups({ value }: Pick<YamlFile, 'value'>): readonly EditableGroup[] {
  const { ladder, limits, models, experiments, profiles } = fieldsOf(value);
  const groups: EditableGroup[] = [
    { title: 'The ladder', items: ladderItems(ladder, ['ladder']) },
    ...limitGroups(limits, ['limits'], ''),
  ];
  for (const [name, profile] of Object.entries(fieldsOf(profiles))) {
    const own = fieldsOf(profile);
    groups.push({
      title: `The ladder of the profile ${name}`,
      items: ladderItems(own['ladder'], ['profiles', name, 'ladder']),
    });
    groups.push(...limitGroups(own['limits'], ['profiles', name, 'limits'], ` of the profile ${name}`));
  }
  for (const [name, model] of Object.entries(fieldsOf(models))) {
    const items = listOf(fieldsOf(model)['deployments']).map((one, at): Editable => {
      const { provider, model: called, weight = 1 } = fieldsOf(one);
      const label = `Weight of ${[provider, called].filter(Boolean).join('/')}`;
      return {
        place: ['models', name, 'deployments', at, 'weight'],
        kind: 'weight',
        label,
        value: Number(weight),
      };
    });
    groups.push({ title: `The deployments of ${name}`, items });
  }
  for (const [name, one] of Object.entries(fieldsOf(experiments))) {
    const { kind, arms } = fieldsOf(one);
    if (kind !== 'split') continue;
    const items = Object.entries(fieldsOf(arms)).map(([arm, written]): Editable => {
      const place = ['experiments', name, 'arms', arm, 'weight'];
      return { place, kind: 'weight', label: `Weight of ${arm}`, value: Number(fieldsOf(written)['weight']) };
    });
    groups.push({ title: `The split ${name}`, items, experiment: name });
  }
  return groups.filter(({ items }) => items.length > 0);
}

function ladderItems(ladder: unknown, place: Place): Editable[] {
  return Object.entries(fieldsOf(ladder)).flatMap(([candidate, rung]): Editable[] => {
    const model = typeof rung === 'string' ? rung : fieldsOf(rung)['model'];
    if (typeof model !== 'string') return [];
    const own = typeof rung === 'string' ? [...place, candidate] : [...place, candidate, 'model'];
    return [{ place: own, kind: 'model', label: `Model of ${candidate}`, value: model }];
  });
}

function limitGroups(limits: unknown, place: Place, whose: string): EditableGroup[] {
  return listOf(limits).map((limit, at) => {
    const { for: names, windows, name } = fieldsOf(limit);
    const of = Object.entries(fieldsOf(names)).map(([kind, one]) => `${kind} ${String(one)}`);
    const items = listOf(windows).flatMap((window, i) =>
      Object.entries(fieldsOf(window)).map(
        ([length, amount]): Editable => ({
          place: [...place, at, 'windows', i, length],
          kind: 'amount',
          label: `At most, in ${length}`,
          value: String(amount),
        }),
      ),
    );
    const called = name === undefined ? '' : ` ${String(name)}`;
    return { title: `The limit${called} for ${of.join(', ') || 'all requests'}${whose}`, items };
  });
}
