import { createTheme } from '@mantine/core';

/** One accent, dark enough for white text on it (WCAG 2.2 AA: at least 4.5 to 1). */
export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 9, dark: 8 },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  // No text is smaller than 14 pixels, so `xs` is the size of `sm`.
  fontSizes: { xs: '0.875rem', sm: '0.875rem', md: '1rem', lg: '1.125rem', xl: '1.25rem' },
  autoContrast: true,
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    // Colour alone does not distinguish a link from the words around it.
    Anchor: { defaultProps: { underline: 'always' } },
    // Words in capitals are harder to read.
    Badge: {
      defaultProps: { tt: 'none' },
      vars: () => ({ root: { '--badge-fz': 'var(--mantine-font-size-sm)', '--badge-height': '1.5rem' } }),
    },
    Kbd: { defaultProps: { size: 'md' } },
    // The title of a dialog is not a heading of the page.
    ModalHeader: { defaultProps: { component: 'div' } },
  },
});

/** The nonce that the console wrote into this page. The browser does not apply styles without it. */
export const styleNonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
