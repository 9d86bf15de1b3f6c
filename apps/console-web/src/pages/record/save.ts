/** A file that its reader chose; `here`: this browser writes none by itself, so the page offers what it has when it is whole. */
export type Chosen = FileSystemFileHandle | 'here';

interface Picker {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Asks where to save. */
export async function chooseFile(suggestedName: string): Promise<Chosen | 'nothing-chosen'> {
  const { showSaveFilePicker } = window as Picker;
  if (showSaveFilePicker === undefined) return 'here';
  try {
    return await showSaveFilePicker.call(window, { suggestedName });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return 'nothing-chosen';
    throw error;
  }
}

/** Saves what the page holds, as a browser saves any download. */
export function saveAs(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: the browser takes it a moment later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
