import { Select } from '@mantine/core';
import { memo } from 'react';
import { capital } from './capital.js';

interface Choice {
  readonly value: string;
  readonly label: string;
}

interface Props {
  readonly name: string;
  readonly choices: readonly Choice[];
  /** The chosen value; undefined for any. */
  readonly value: string | undefined;
  /** Whether one of the choices is always chosen. */
  readonly always?: boolean;
  readonly width?: number;
  /** Always the same function, or the field is rendered with each change of the page. */
  readonly onChoose: (name: string, value: string | undefined) => void;
}

const alike = (a: readonly Choice[], b: readonly Choice[]): boolean =>
  a.length === b.length && a.every(({ value, label }, n) => value === b[n]?.value && label === b[n]?.label);

/**
 * One field of a filter. A page is rendered several times while an answer comes, and this field takes longer than a row of its list.
 * So it is rendered again only if its value or its choices change.
 */
export const FilterField = memo(
  ({ name, choices, value, always = false, width, onChoose }: Props) => (
    <Select
      label={capital(name)}
      data={[...choices]}
      value={value ?? null}
      onChange={(chosen) => onChoose(name, chosen ?? undefined)}
      {...(always
        ? { allowDeselect: false }
        : { placeholder: 'Any', clearable: true, clearButtonProps: { 'aria-label': `Any ${name}` } })}
      {...(width !== undefined && { w: { base: '100%', xs: width } })}
    />
  ),
  ({ choices, ...before }, { choices: later, ...now }) =>
    alike(choices, later) &&
    Object.entries(now).every(([name, value]) => before[name as keyof typeof before] === value),
);
