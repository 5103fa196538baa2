"""Train and export the detector of facings. The only part that may import torch or ultralytics."""
