import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { controlsQuery } from './controls.js';

/** On every page: that stops are in force, with the way to the page that shows and resumes them. */
export function StopsInForce() {
  const controls = useQuery(controlsQuery);
  const words = controls.data ? wordsOf(controls.data) : controls.isError ? 'Stops unknown' : undefined;
  return (
    words && (
      <Button
        component={Link}
        to="/"
        color="red"
        variant="outline"
        size="compact-sm"
        className="never-narrower"
        aria-label={`${words}: what is stopped, and how to resume it`}
      >
        {words}
      </Button>
    )
  );
}

function wordsOf(stops: readonly { readonly scope: string }[]): string | undefined {
  if (stops.some(({ scope }) => scope === 'all')) return 'All stopped';
  return stops.length > 0 ? `${stops.length} stopped` : undefined;
}
