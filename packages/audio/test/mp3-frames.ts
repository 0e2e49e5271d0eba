/** Walks over the frames of an MP3 stream of layer III; throws at the first byte that belongs to none. */
export function mp3Frames(bytes: Buffer): { sampleRateHz: number; channels: number; samples: number }[] {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const word = bytes.readUInt32BE(at);
    if (word >>> 21 !== 0x7ff) throw new Error(`no frame at byte ${at}`);
    const version = (word >>> 19) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    const first = version === 3;
    const bitrateKbps = (
      first
        ? [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
        : [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    )[(word >>> 12) & 15]!;
    const sampleRateHz = [44_100, 48_000, 32_000][(word >>> 10) & 3]! / (first ? 1 : version === 2 ? 2 : 4);
    const samples = first ? 1152 : 576;
    frames.push({ sampleRateHz, channels: ((word >>> 6) & 3) === 3 ? 1 : 2, samples });
    at += Math.floor((samples / 8) * ((bitrateKbps * 1000) / sampleRateHz)) + ((word >>> 9) & 1);
    if (at > bytes.length) throw new Error('the last frame is cut short');
  }
  return frames;
}
