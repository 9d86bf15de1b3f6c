/** A time that an agent claims, but no later than the broker took its event. Otherwise it could stay first in a list for ever. */
export const claimedAt = (claimed: string, takenAt: string | undefined): string =>
  takenAt !== undefined && claimed > takenAt ? takenAt : claimed;
