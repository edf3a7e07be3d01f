"""As torch.utils, of which only the data is here: utils.data.DataLoader."""

from nanograd import data as data
