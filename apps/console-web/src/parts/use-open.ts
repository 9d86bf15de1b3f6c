import { createContext, useContext, useState } from 'react';

/** The ids of the open rows of a list. A row may be removed while it is out of sight; if it was open, it is open again when it returns. */
export const OpenRows = createContext<Set<string> | undefined>(undefined);

/** Whether the row with this id is open, and the function that opens and closes it. */
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
