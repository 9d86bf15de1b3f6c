import { createContext, useContext, useState } from 'react';

/** The ids of the rows of a list that are open. A row may be taken away while nobody sees it; what was open is open when it is back. */
export const OpenRows = createContext<Set<string> | undefined>(undefined);

/** Whether the row of this id is open, and what opens and closes it. */
export function useOpen(id: string): readonly [open: boolean, toggle: () => void] {
  const rows = useContext(OpenRows);
  const [open, setOpen] = useState(() => rows?.has(id) ?? false);
  const toggle = () => {
    if (open) rows?.delete(id);
    else rows?.add(id);
    setOpen(!open);
  };
  return [open, toggle];
}
