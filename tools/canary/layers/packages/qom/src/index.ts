export const qom = 1;
