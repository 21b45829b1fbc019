self.onmessage = ({ data: interval }: MessageEvent<number>) => {
  setInterval(() => self.postMessage(undefined), interval);
};
